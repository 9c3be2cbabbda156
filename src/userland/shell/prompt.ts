/** Backslash escapes of PS1, PS2, PS4 and `${x@P}`. */
import { strftime } from '../misc/time.ts';
import { expandTemplate } from './expand.ts';
import type { ExpandHost } from './segments.ts';

interface PromptHost extends ExpandHost {
  readonly history: readonly string[];
  readonly jobs: { readonly list: readonly unknown[] };
  readonly name: string;
}

/** `\[` and `\]` stay in the result as \x01 and \x02: the line editor leaves what is between them out of the width. */
export async function promptString(h: PromptHost, text: string): Promise<string> {
  const host = (h.param('HOSTNAME') ?? 'localhost').toString();
  const cwd = (): string => {
    const dir = h.sys.getcwd();
    const home = h.home('') ?? '';
    return home !== '' && home !== '/' && (dir === home || dir.startsWith(`${home}/`))
      ? `~${dir.slice(home.length)}`
      : dir;
  };
  const root = h.sys.getuid() === 0;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c !== '\\') {
      out += c;
      continue;
    }
    const next = text[++i] ?? '';
    const octal = /^[0-7]{3}/.exec(text.slice(i))?.[0];
    if (octal) {
      out += String.fromCharCode(Number.parseInt(octal, 8));
      i += 2;
      continue;
    }
    switch (next) {
      case 'u':
        out += root ? 'root' : 'user';
        break;
      case 'h':
        out += host.split('.')[0];
        break;
      case 'H':
        out += host;
        break;
      case 'w':
        out += cwd();
        break;
      case 'W': {
        const dir = cwd();
        out += dir === '/' || dir === '~' ? dir : dir.slice(dir.lastIndexOf('/') + 1);
        break;
      }
      case '$':
        out += root ? '#' : '\\$';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'a':
        out += '\x07';
        break;
      case 'e':
        out += '\x1b';
        break;
      case '[':
        out += '\x01';
        break;
      case ']':
        out += '\x02';
        break;
      case 's':
        out += h.name.replace(/^-/, '').replace(/.*\//, '');
        break;
      case 'v':
      case 'V':
        out += '5.2';
        break;
      case '!':
      case '#':
        out += String(h.history.length + 1);
        break;
      case 'j':
        out += String(h.jobs.list.length);
        break;
      case 't':
      case 'T':
      case 'A':
      case 'd': {
        out += strftime(next === 'd' ? '%a %b %d' : next === 'A' ? '%R' : '%T', h.sys.clockGettime('realtime'));
        break;
      }
      case '\\':
        out += '\\\\';
        break;
      default:
        out += `\\${next}`;
    }
  }
  return expandTemplate(h, out);
}
