import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import {
  cells,
  heads,
  ICell,
  IResult,
  MAX_ROWS,
  MIME_TYPE,
  readCost,
  readResult
} from './release';

/**
 * Draws a release as a table, with an error beside each estimate.
 *
 * An output may come from anybody's notebook: everything is set as text, never
 * as markup, and nothing here says that a signature was checked.
 */
class ReleaseRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(trans: TranslationBundle) {
    super();
    this._trans = trans;
    this.addClass('privlab-Release');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const trans = this._trans;
    const value = model.data[MIME_TYPE];
    const result = readResult(value);
    if (!result) {
      this.node.replaceChildren(fallback(model.data['text/plain'], trans));
      return;
    }
    const parts: HTMLElement[] = [frame(result, trans)];
    const hidden = result.rows.length - MAX_ROWS;
    if (hidden > 0) {
      parts.push(
        line(
          trans._n(
            '… and %1 more row; .frame holds all',
            '… and %1 more rows; .frame holds all',
            hidden
          )
        )
      );
    }
    for (const words of [result.caption, readCost(value)]) {
      if (words) {
        parts.push(line(words));
      }
    }
    this.node.replaceChildren(...parts);
  }

  private _trans: TranslationBundle;
}

/** The table inside a box that scrolls by itself when it is wide or long. */
function frame(result: IResult, trans: TranslationBundle): HTMLElement {
  const table = document.createElement('table');
  if (result.title) {
    table.createCaption().textContent = result.title;
  }
  const head = table.createTHead().insertRow();
  for (const cell of heads(result)) {
    const th = document.createElement('th');
    th.scope = 'col';
    fill(th, cell);
    head.appendChild(th);
  }
  const body = table.createTBody();
  result.rows.slice(0, MAX_ROWS).forEach((_, index) => {
    const row = body.insertRow();
    for (const cell of cells(result, index)) {
      fill(row.insertCell(), cell);
    }
  });
  const box = document.createElement('div');
  box.className = 'privlab-Release-table';
  box.tabIndex = 0; // a region that scrolls must be reachable by keyboard
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', result.title || trans.__('Release'));
  box.appendChild(table);
  return box;
}

function fill(node: HTMLTableCellElement, cell: ICell): void {
  node.textContent = cell.text;
  node.classList.toggle('privlab-mod-right', cell.right);
}

function line(words: string): HTMLElement {
  const node = document.createElement('div');
  node.className = 'privlab-Release-note';
  node.textContent = words;
  return node;
}

/** What every other frontend would show, when the release has an unknown shape. */
function fallback(text: unknown, trans: TranslationBundle): HTMLElement {
  const node = document.createElement('pre');
  node.textContent =
    typeof text === 'string' ? text : trans.__('This release cannot be read.');
  return node;
}

const extension: IRenderMime.IExtension = {
  id: 'privlab:release-renderer',
  description: 'Draws differentially private releases as tables.',
  rendererFactory: {
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: options =>
      new ReleaseRenderer(
        (options.translator ?? nullTranslator).load('privlab')
      )
  },
  rank: 0,
  dataType: 'json'
};

export default extension;
