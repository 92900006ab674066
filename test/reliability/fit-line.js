/**
 * The line through values at 0, 1, 2, ... by least squares: its slope and that slope's standard error,
 * sqrt(sum of squared residuals / (n - 2) / sum of (x - mean x)^2).
 */
export function fitLine(values) {
  const n = values.length;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const spread = values.reduce((sum, _, x) => sum + (x - middle) ** 2, 0);
  const slope = values.reduce((sum, value, x) => sum + (x - middle) * (value - mean), 0) / spread;
  const residuals = values.map((value, x) => value - mean - slope * (x - middle));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  return { slope, error: Math.sqrt(squares / (n - 2) / spread) };
}
