/** `treadle/worker`: the entry of every thread that the library starts. */
import { listen } from './listen.js';

listen();
