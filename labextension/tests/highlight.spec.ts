import { EditorState, StateField } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import {
  isPrivateCell,
  isSQLCell,
  privateCellLanguage
} from '../src/highlight';

test.each([
  '%%private\nSELECT 1',
  '%%private by_ward --share 1%\n\n-- a comment\nselect 1',
  '%%private\n/* a\ncomment */ WITH x AS (SELECT 1) SELECT 1',
  '%%private\n(SELECT 1)',
  '%%private\nFROM visits',
  '%%private\n# note\nn << SELECT 1'
])('%j is SQL', cell => {
  expect(isSQLCell(cell)).toBe(true);
});

test.each([
  '%%private',
  '%%private\n',
  '%%private\nvisits.group_by("ward").agg(n=pl.len())',
  '%%private\nselection.filter()',
  '%%privately\nSELECT 1',
  'SELECT 1',
  'x = 1\n%%private\nSELECT 1'
])('%j is not SQL', cell => {
  expect(isSQLCell(cell)).toBe(false);
});

test('a cell is private by its first line', () => {
  expect(isPrivateCell('%%private --explain')).toBe(true);
  expect(isPrivateCell(' %%private')).toBe(false);
});

test('the language follows the text of the cell', async () => {
  const marker = StateField.define<boolean>({
    create: () => true,
    update: value => value
  });
  const view = new EditorView({
    state: EditorState.create({
      doc: 'x = 1',
      extensions: [privateCellLanguage(async () => marker)]
    })
  });
  const hasSQL = () => view.state.field(marker, false) === true;
  const write = async (insert: string) => {
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert }
    });
    await new Promise(resolve => setTimeout(resolve, 0));
  };
  expect(hasSQL()).toBe(false);
  await write('%%private\nSELECT 1');
  expect(hasSQL()).toBe(true);
  await write('%%private\nvisits.select(n=pl.len())');
  expect(hasSQL()).toBe(false);
  await write('print(1)');
  expect(hasSQL()).toBe(false);
  view.destroy();
});
