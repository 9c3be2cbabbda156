/** ftrace's function filters: exact names and globs, collected line by line. */
function matcher(glob: string): RegExp {
  const body = glob
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${body}$`);
}

export class FunctionFilter {
  private readonly names = new Set<string>();
  constructor(private readonly available: () => readonly string[]) {}

  get empty(): boolean {
    return this.names.size === 0;
  }
  has(name: string): boolean {
    return this.names.has(name);
  }
  clear(): void {
    this.names.clear();
  }
  list(): string[] {
    return this.available().filter((name) => this.names.has(name));
  }
  /** Adds (`!glob`: removes) what the words name; false when a word names nothing (the write gives -EINVAL). */
  apply(words: string): boolean {
    for (const word of words.split(/\s+/)) {
      if (word === '') continue;
      const glob = matcher(word.replace(/^!/, ''));
      const hits = this.available().filter((name) => glob.test(name));
      if (hits.length === 0) return false;
      for (const name of hits) {
        if (word.startsWith('!')) this.names.delete(name);
        else this.names.add(name);
      }
    }
    return true;
  }
}
