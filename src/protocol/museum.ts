/** The two ways in which an exhibit of the museum is played. */
export const SETTINGS = ['posted', 'intended'] as const;
export type ExhibitSetting = (typeof SETTINGS)[number];
