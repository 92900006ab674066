/** Reads other models' files; fetched when the first is dropped. */
export { importModel } from 'treadle';
