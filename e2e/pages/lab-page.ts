import { expect, type Locator, type Page } from '@playwright/test';

/** The page as a person uses it, in verbs. */
export class LabPage {
  readonly problems: string[] = [];

  constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
  }

  async open(search = ''): Promise<void> {
    await this.page.goto(search === '' ? './' : `./${search}`);
    await this.expectOutput('host', /host:~#/);
  }

  /** Presses the button and goes to the end of the playback. */
  async bootToL2(): Promise<void> {
    await this.page.getByRole('button', { name: 'Boot to L2' }).first().click();
    await this.goLive();
    await this.expectOutput('l2', /QEMU ACCEL device driver is loaded/);
  }

  /** Waits until the engine has come to rest and the page shows the present. */
  async goLive(): Promise<void> {
    const skip = this.page.getByRole('button', { name: 'Skip to the end' }).first();
    await expect
      .poll(
        async () =>
          (await skip.isVisible()) ||
          !(await this.page
            .getByRole('button', { name: /Booting|Boot to L2/ })
            .first()
            .isVisible()),
        {
          timeout: 20_000,
        },
      )
      .toBe(true);
    if (await skip.isVisible()) await skip.click();
  }

  /** Opens what a link asks for. */
  async openLink(hash: string): Promise<void> {
    await this.page.goto(`./#${hash}`);
  }

  /** Has the engine come to rest, and does the page show the present? */
  async settledLive(): Promise<boolean> {
    return this.page.evaluate(() => {
      const { store } = Reflect.get(window, '__cxlab');
      const { booting, playing, live } = store.getState();
      return !booting && !playing && live;
    });
  }

  /** Commands in the session the page holds. */
  private async commandCount(): Promise<number> {
    return this.page.evaluate(() => Reflect.get(window, '__cxlab')?.log.time.marks.length ?? 0);
  }

  /** Lets a scenario be played, skipping what can be skipped. */
  async playedToTheEnd(): Promise<void> {
    const skip = this.page.getByRole('button', { name: 'Skip to the end' }).first();
    await expect
      .poll(
        async () => {
          if (await skip.isVisible()) await skip.click({ timeout: 1000 }).catch(() => {});
          return (await this.commandCount()) > 0 && (await this.settledLive());
        },
        { timeout: 50_000 },
      )
      .toBe(true);
  }

  /** Where the words of a drawing stand on the screen. */
  async labelBoxes(
    drawing: Locator,
  ): Promise<readonly { text: string; left: number; right: number; top: number; bottom: number }[]> {
    return drawing.evaluate((svg) =>
      [...svg.querySelectorAll('text')]
        .filter((element) => (element.textContent ?? '').trim() !== '')
        .map((element) => {
          const { left, right, top, bottom } = element.getBoundingClientRect();
          return { text: element.textContent ?? '', left, right, top, bottom };
        }),
    );
  }

  tab(console: string): Locator {
    return this.page.locator(`[role=tab][data-console="${console}"]`);
  }

  /** Types a line on a console, as with the keyboard. */
  async type(console: string, line: string): Promise<void> {
    await this.tab(console).click();
    const input = this.page.getByTestId(`terminal-${console}`).locator('.xterm-helper-textarea');
    await input.focus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  /** What the console's terminal shows now: row by row, and once more with the rows joined (long lines wrap). */
  async output(console: string): Promise<string> {
    return this.page.evaluate((id) => {
      const screen = document.querySelector(`[data-testid="terminal-${id}"] .xterm-rows`);
      const rows = screen ? [...screen.children].map((row) => (row.textContent ?? '').replace(/\u00a0/g, ' ')) : [];
      return `${rows.join('\n')}\n${rows.join('')}`;
    }, console);
  }

  async expectOutput(console: string, pattern: RegExp): Promise<void> {
    await this.tab(console).click();
    await expect.poll(() => this.output(console), { timeout: 20_000 }).toMatch(pattern);
  }
}
