export * from 'treadle/inline';
