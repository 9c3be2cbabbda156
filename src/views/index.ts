export { commandAt } from './chips.view.ts';
