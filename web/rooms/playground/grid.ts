/** Half the side of the part of the plane that is shown. */
export const REACH = 1.1;

/** The places of a grid of `side` by `side` over the plane, row by row from the top: x and y of each. */
export function gridOf(side: number): Float32Array {
  const places = new Float32Array(2 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = 2 * (row * side + column);
      places[at] = REACH * ((2 * (column + 0.5)) / side - 1);
      places[at + 1] = REACH * (1 - (2 * (row + 0.5)) / side);
    }
  }
  return places;
}
