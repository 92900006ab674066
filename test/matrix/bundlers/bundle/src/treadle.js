export * from '/node_modules/treadle/dist/bundle.js';
