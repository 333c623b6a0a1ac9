import { LabIcon } from '@jupyterlab/ui-components';

// A shield that is half full: what is protected, and how much of it is left.
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 2 4 5v6c0 5 3.4 9.7 8 11 4.6-1.3 8-6 8-11V5l-8-3zm0 2.2 6 2.2V12H6V6.4l6-2.2z"/>
</svg>`;

export const budgetIcon = new LabIcon({ name: 'privlab:budget', svgstr });
