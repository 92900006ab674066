/** An error in one sentence, as the library words it. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
