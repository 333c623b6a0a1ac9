import extension from '../src/mime';
import { MIME_TYPE } from '../src/release';
import { output } from './examples';

async function draw(value: unknown, text?: string) {
  const renderer = extension.rendererFactory.createRenderer({} as any);
  const data: any = { [MIME_TYPE]: value };
  if (text !== undefined) {
    data['text/plain'] = text;
  }
  await renderer.renderModel({ data } as any);
  return renderer.node;
}

const texts = (node: HTMLElement, selector: string) =>
  [...node.querySelectorAll(selector)].map(found => found.textContent);

test('each estimate has its error beside it', async () => {
  const node = await draw(output());
  expect(texts(node, 'th')).toEqual([
    'ward',
    'n',
    '±95\u00a0%',
    'stay',
    '±95\u00a0%'
  ]);
  expect(texts(node, 'tbody tr:first-child td')).toEqual([
    'cardiology',
    '12,345',
    '18',
    '3.14',
    '0.04'
  ]);
});

test('a negative count is shown as zero, a negative mean as it is', async () => {
  const node = await draw(output());
  expect(texts(node, 'tbody tr:nth-child(2) td')).toEqual([
    '(null)',
    '0 (estimate −12 ± 18)',
    '18',
    '−0.25',
    'unknown'
  ]);
});

test('an estimate that does not exist is called unknown', async () => {
  const node = await draw(output());
  expect(texts(node, 'tbody tr:nth-child(3) td')).toEqual([
    'surgery',
    '7',
    '18',
    'unknown',
    ''
  ]);
});

test('the error of a quantile is in ranks, and a negative one stays negative', async () => {
  const node = await draw(
    output({
      columns: [{ name: 'm', label: 'median', kind: 'int', decimals: 0 }],
      rows: [['-12']],
      half_widths: [[null]]
    })
  );
  expect(texts(node, 'tbody td')).toEqual(['−12', 'in ranks']);
});

test('a median of days is a day', async () => {
  const node = await draw(
    output({
      columns: [{ name: 'm', label: 'median', kind: 'date', decimals: 0 }],
      rows: [['2024-03-01']],
      half_widths: [[null]]
    })
  );
  expect(texts(node, 'tbody td')).toEqual(['2024-03-01', 'in ranks']);
});

test('the caption says what was counted and what it cost', async () => {
  const node = await draw(output());
  expect(texts(node, '.privlab-Release-note')).toEqual([
    'at most 8 visits per patient',
    'cost 1 % of your grant on clinic; 93 % left'
  ]);
  expect(texts(node, 'caption')).toEqual(['by_ward']);
});

test('strings of a stranger are text, not markup', async () => {
  const evil = '<img src=x onerror="globalThis.hit = 1">';
  const value = output({
    title: evil,
    caption: evil,
    columns: [{ name: evil, label: 'key', kind: 'text', decimals: 0 }],
    rows: [[evil]],
    half_widths: [[null]]
  });
  value.receipt.words = evil;
  const node = await draw(value);
  expect(node.querySelector('img')).toBeNull();
  expect(texts(node, 'td')).toEqual([evil]);
  expect((globalThis as any).hit).toBeUndefined();
});

test('a result that is an object inside the bundle is drawn too', async () => {
  const value = output();
  value.bundle = JSON.stringify({
    result: JSON.parse(JSON.parse(value.bundle).result)
  });
  expect(texts(await draw(value), 'caption')).toEqual(['by_ward']);
});

test.each([
  ['no bundle', {}],
  ['a bundle that is no JSON', { bundle: 'x' }],
  ['a bundle that is null', { bundle: 'null' }],
  ['a row that is too short', output({ rows: [['a']], half_widths: [[null]] })],
  [
    'a number that is none',
    output({ rows: [['a', 'NaN', '1']], half_widths: [[null, '1', '1']] })
  ],
  [
    'a division by zero',
    output({ rows: [['a', '1/0', '1']], half_widths: [[null, '1', '1']] })
  ],
  [
    'absurd decimals',
    output({
      columns: [{ name: 'n', label: 'rows', kind: 'int', decimals: 1e9 }]
    })
  ],
  ['null', null]
])('%s falls back to the plain text', async (_, value) => {
  const node = await draw(value, 'the <plain> text');
  expect(node.querySelector('table')).toBeNull();
  expect(node.textContent).toBe('the <plain> text');
});

test('without a plain text, it says that it cannot be read', async () => {
  expect((await draw({})).textContent).toBe('This release cannot be read.');
});

test('many rows are drawn up to a limit, and the rest is counted', async () => {
  const rows = Array.from({ length: 203 }, () => ['a', '1', '1']);
  const half_widths = rows.map(() => [null, '1', '1']);
  const node = await draw(output({ rows, half_widths }));
  expect(node.querySelectorAll('tbody tr')).toHaveLength(200);
  expect(node.textContent).toContain('and 3 more rows');
});

test('the renderer is safe, so that untrusted notebooks show it', () => {
  expect(extension.rendererFactory.safe).toBe(true);
  expect(extension.rendererFactory.mimeTypes).toEqual([MIME_TYPE]);
});
