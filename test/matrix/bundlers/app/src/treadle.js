export * from 'treadle';
