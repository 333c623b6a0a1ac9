import { Compartment, Extension, Prec, Text } from '@codemirror/state';
import { EditorView, ViewPlugin, ViewUpdate } from '@codemirror/view';

const MAGIC = /^%%private\b/;
const COMMENT = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|#[^\n]*(?:\n|$))/;
const ASSIGNED = /^[A-Za-z_]\w*\s*<<\s*/;
const SQL = /^(?:\(|(?:select|with|from)\b)/i;

/** Whether the cell is a `%%private` cell, in either language. */
export function isPrivateCell(cell: string): boolean {
  return MAGIC.test(cell);
}

/**
 * Whether the cell is a `%%private` cell whose question is SQL: its first
 * token after comments is SELECT, WITH, FROM or an open parenthesis.
 */
export function isSQLCell(cell: string): boolean {
  const end = cell.indexOf('\n');
  if (!isPrivateCell(cell) || end < 0) {
    return false;
  }
  let rest = cell.slice(end + 1);
  for (let m = COMMENT.exec(rest); m && m[0]; m = COMMENT.exec(rest)) {
    rest = rest.slice(m[0].length);
  }
  return SQL.test(rest.replace(ASSIGNED, ''));
}

/**
 * SQL in cells that ask it.
 *
 * The language is loaded when the first such cell is seen, and takes
 * precedence over the one that JupyterLab chose from the kernel. A cell in
 * Polars syntax keeps Python's colors.
 */
export function privateCellLanguage(
  loadSQL: () => Promise<Extension>
): Extension {
  const compartment = new Compartment();

  const plugin = ViewPlugin.fromClass(
    class {
      constructor(view: EditorView) {
        this._sync(view);
      }

      update(update: ViewUpdate): void {
        if (update.docChanged) {
          this._sync(update.view);
        }
      }

      destroy(): void {
        this._alive = false;
      }

      private _sync(view: EditorView): void {
        const isSQL = asksSQL(view.state.doc);
        if (isSQL === this._isSQL) {
          return;
        }
        this._isSQL = isSQL;
        void (isSQL ? loadSQL() : Promise.resolve([])).then(language => {
          if (this._alive && this._isSQL === isSQL) {
            view.dispatch({
              effects: compartment.reconfigure(Prec.highest(language))
            });
          }
        });
      }

      private _isSQL = false;
      private _alive = true;
    }
  );
  return [compartment.of([]), plugin];
}

/** Looks at the first line before it copies the whole text of a long cell. */
function asksSQL(doc: Text): boolean {
  return isPrivateCell(doc.line(1).text) && isSQLCell(doc.toString());
}
