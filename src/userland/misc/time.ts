/** Calendar arithmetic on the lab's clock (UTC only) and strftime. */
export interface Civil {
  readonly year: number;
  /** 1 … 12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 Sunday */
  readonly weekday: number;
  /** 1 … 366 */
  readonly yearday: number;
}

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719468;
}

export function civil(seconds: number): Civil {
  const days = Math.floor(seconds / 86400);
  const rest = Math.floor(seconds - days * 86400);
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const doe = z - era * 146097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearday: days - daysFromCivil(year, 1, 1) + 1,
  };
}

const two = (n: number): string => String(n).padStart(2, '0');

export function strftime(format: string, ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  const c = civil(seconds);
  const day = DAYS[c.weekday] ?? '';
  const month = MONTHS[c.month - 1] ?? '';
  return format.replace(/%([-_0]?)(\d*)([A-Za-z%])/g, (all, flag: string, _width: string, f: string) => {
    const value = ((): string => {
      switch (f) {
        case 'Y':
          return String(c.year);
        case 'm':
          return two(c.month);
        case 'd':
          return two(c.day);
        case 'e':
          return String(c.day).padStart(2);
        case 'H':
          return two(c.hour);
        case 'I':
          return two(c.hour % 12 || 12);
        case 'M':
          return two(c.minute);
        case 'S':
          return two(c.second);
        case 'N':
          return String(Math.floor(ns % 1e9)).padStart(9, '0');
        case 's':
          return String(seconds);
        case 'a':
          return day.slice(0, 3);
        case 'A':
          return day;
        case 'b':
        case 'h':
          return month.slice(0, 3);
        case 'B':
          return month;
        case 'j':
          return String(c.yearday).padStart(3, '0');
        case 'u':
          return String(c.weekday || 7);
        case 'w':
          return String(c.weekday);
        case 'y':
          return two(c.year % 100);
        case 'p':
          return c.hour < 12 ? 'AM' : 'PM';
        case 'F':
          return `${c.year}-${two(c.month)}-${two(c.day)}`;
        case 'T':
        case 'X':
          return `${two(c.hour)}:${two(c.minute)}:${two(c.second)}`;
        case 'R':
          return `${two(c.hour)}:${two(c.minute)}`;
        case 'D':
        case 'x':
          return `${two(c.month)}/${two(c.day)}/${two(c.year % 100)}`;
        case 'c':
          return `${day.slice(0, 3)} ${month.slice(0, 3)} ${String(c.day).padStart(2)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)} ${c.year}`;
        case 'Z':
          return 'UTC';
        case 'z':
          return '+0000';
        case 'n':
          return '\n';
        case 't':
          return '\t';
        case '%':
          return '%';
        default:
          return all;
      }
    })();
    if (flag === '-') return value.replace(/^[0 ]+(?=.)/, '');
    return flag === '_' ? value.replace(/^0+(?=.)/, (z) => ' '.repeat(z.length)) : value;
  });
}
