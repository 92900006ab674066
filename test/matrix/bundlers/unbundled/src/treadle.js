export * from '/node_modules/treadle/dist/index.js';
