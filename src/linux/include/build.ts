/** A kernel build: base tree, configuration, patches applied, quirks. Stored in the image file in /boot. */
export interface KernelBuild {
  /** `6.11.0-rc2-vfio-cxl-l1`; an image of kbuild ends in `-g` and its build id. */
  readonly release: string;
  /** `#1 SMP PREEMPT_DYNAMIC` … as in `uname -v`. */
  readonly version: string;
  /** CONFIG_ options without the prefix; absent means n. */
  readonly config: Readonly<Record<string, 'y' | 'm'>>;
  /** Modules built apart from the tree (tools/testing/cxl), installed below `updates/`. */
  readonly updates?: readonly string[];
  /** Series the tree has besides its base; absent: the RFC's, as far as `patches` says. */
  readonly series?: 'v3';
  /** RFC patches applied (1…13). */
  readonly patches: readonly number[];
  /** Behaviour of posted defects; absent means the default in include/quirks.ts. */
  readonly quirks: Readonly<Record<string, 'posted' | 'intended'>>;
  /** What the build is, in words, for the head of config.gz: one line each. */
  readonly notes?: readonly string[];
}
