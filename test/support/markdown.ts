/** A piece of code in a Markdown file, without its fence or backticks. */
export interface Code {
  /** The word after the fence; `inline` for code within a line. */
  language: string;
  text: string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** Every piece of code in a Markdown text: fenced blocks, and inline code with its line breaks as spaces. */
export function codeIn(markdown: string): Code[] {
  const blocks = [...markdown.matchAll(FENCE)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
  const inline = [...markdown.replace(FENCE, '').matchAll(/`([^`]+)`/g)].map(([, text]) => ({
    language: 'inline',
    text: text!.replace(/\s+/g, ' '),
  }));
  return [...blocks, ...inline];
}

/** The commands of a block: continued lines joined, without comments. */
function linesOf(block: string): string[] {
  return block
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** What inline code has that is a command: a program's name as a word, a variable set before it. */
const PROGRAM = /(?:^|[\s=;&|(])(?:node|npm|npx|treadle|python3?|pip|bash|\/\S+)\s|^[A-Z_]+=\S*\s/;

/**
 * The commands that a Markdown text shows, each once. Blocks without a language, or of `sh`, are commands; inline code
 * is one when it names a program, or a command of treadle (`names`) with something after it. treadle's own are given
 * without its name.
 */
export function commandsIn(markdown: string, names: readonly string[]): string[] {
  // With a brace behind it, `import` is JavaScript's.
  const ofTreadle = new RegExp(`^(?:${names.join('|')}) (?!\\{)`);
  const commands = codeIn(markdown).flatMap(({ language, text }) => {
    if (language === '' || language === 'sh') return linesOf(text);
    return language === 'inline' && (PROGRAM.test(text) || ofTreadle.test(text)) ? [text] : [];
  });
  return [...new Set(commands.map((command) => command.replace(/^(?:node dist\/cli\.js|treadle) /, '')))];
}
