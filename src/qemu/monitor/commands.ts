/** Every module that registers monitor commands. */
import './control.ts';
import './examine.ts';
import './info-mtree.ts';
import './info-pci.ts';
import './info-qtree.ts';
