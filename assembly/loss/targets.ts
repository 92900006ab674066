// What belongs to row b of a batch: that of sample order[b], among all resident samples.
//
//   order    (B) u32
//   labels   (samples) i32
//   weights  (samples) f32, or 0: every sample counts alike
//   targets  (samples, C) f32, row-major without padding; readable 16 bytes past the end

// @ts-ignore: decorator
@inline
function sampleOf(order: usize, b: i32): usize {
  return <usize>load<u32>(order + (<usize>b << 2));
}

/** Row b's label. */
// @ts-ignore: decorator
@inline
export function labelOf(labels: usize, order: usize, b: i32): i32 {
  return load<i32>(labels + (sampleOf(order, b) << 2));
}

/** `factor` times row b's weight, or `factor` where there are no weights. */
// @ts-ignore: decorator
@inline
export function weighted(factor: f32, weights: usize, order: usize, b: i32): f32 {
  return weights ? factor * load<f32>(weights + (sampleOf(order, b) << 2)) : factor;
}

/** Address of row b's C targets. */
// @ts-ignore: decorator
@inline
export function targetsOf(targets: usize, C: i32, order: usize, b: i32): usize {
  return targets + ((sampleOf(order, b) * C) << 2);
}
