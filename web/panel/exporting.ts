/** Fetched when a model is first saved. */
export { EXPORT_FORMATS, exportModel } from 'treadle';
