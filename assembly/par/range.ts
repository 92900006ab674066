/** First unit of thread `thread`'s share when `units` are split over `threads` as evenly as whole units allow. */
// @ts-ignore: decorator
@inline
export function shareStart(units: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>units * thread) / threads);
}
