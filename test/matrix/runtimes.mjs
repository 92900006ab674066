export const cells = [];
