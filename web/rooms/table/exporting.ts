/** Fetched when a model is first exported. */
export { exportTable } from 'treadle/tables';
