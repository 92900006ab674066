/** `treadle/queue`: runs of many models on many machines, by BullMQ on Redis. `bullmq` and `ioredis` are installed beside treadle. */
export { type QueueOptions, queueExecutor } from './executor.js';
