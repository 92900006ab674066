export { PANEL, PANEL_BYTES } from '../layout/panel';
