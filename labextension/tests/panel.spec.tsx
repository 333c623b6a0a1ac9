import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { LedgerModel } from '../src/model';
import { BudgetPanel, timeText } from '../src/panel';
import { account, released, state } from './examples';

interface IShown {
  state?: ReturnType<typeof state> | null;
  status?: string;
  problem?: unknown;
  refresh?: () => Promise<void>;
}

/** A panel over a model whose values a test sets by hand. */
async function draw(shown: IShown) {
  const model: any = {
    state: null,
    status: 'live',
    problem: null,
    warnBelow: 20,
    ...shown
  };
  model.changed = new Signal<any, void>(model);
  const panel = new BudgetPanel(
    model as LedgerModel,
    nullTranslator.load('privlab'),
    'en'
  );
  Widget.attach(panel, document.body);
  await panel.renderPromise;
  await settle();
  return { panel, model, node: panel.node };
}

const settle = () => new Promise(resolve => setTimeout(resolve, 30));

afterEach(() => document.body.replaceChildren());

test('a meter says what is left in a number and in words', async () => {
  const { node } = await draw({ state: state() });
  const meter = node.querySelector('[role=meter]')!;
  expect(meter.getAttribute('aria-valuenow')).toBe('93');
  expect(meter.getAttribute('aria-valuemin')).toBe('0');
  expect(meter.getAttribute('aria-valuemax')).toBe('100');
  expect(meter.getAttribute('aria-valuetext')).toBe('93\u00a0% left');
  expect(meter.getAttribute('aria-label')).toContain('clinic');
});

test('the grant is the promise, and what is spent a reading', async () => {
  const { node } = await draw({ state: state() });
  const lines = [...node.querySelectorAll('.privlab-Budget .privlab-small')];
  expect(lines.map(line => line.textContent)).toEqual([
    'ε 3.00 promised, whatever you ask',
    'ε 0.42 spent: a reading, no promise',
    'both at δ = 1e-9'
  ]);
});

test('a pure dataset has no delta to show', async () => {
  const { node } = await draw({
    state: state({ accounts: [account({ delta: '0' })] })
  });
  expect(node.textContent).toContain('ε 0.42 of 3.00 spent, without a δ');
  expect(node.textContent).not.toContain('promise');
});

test('words that repeat the percentage are shown once', async () => {
  const { node } = await draw({ state: state() });
  expect(node.textContent!.match(/93.% left/g)).toHaveLength(1);
});

test('other words of the curator are shown', async () => {
  const accounts = [account({ words: 'about 92 more like the last' })];
  const { node } = await draw({ state: state({ accounts }) });
  expect(node.textContent).toContain('about 92 more like the last');
});

test('each dataset has its own section', async () => {
  const accounts = [account(), account({ dataset: 'aviation' })];
  const { node } = await draw({ state: state({ accounts }) });
  const names = [...node.querySelectorAll('h3')].map(h => h.textContent);
  expect(names).toEqual(['clinic', 'aviation']);
});

test('a meter that is nearly empty is marked', async () => {
  const accounts = [account({ spent: '900' }), account({ dataset: 'b' })];
  const { node } = await draw({ state: state({ accounts }) });
  const levels = [...node.querySelectorAll('.privlab-Meter-fill')].map(fill =>
    fill.getAttribute('data-level')
  );
  expect(levels).toEqual(['low', 'ok']);
});

test('releases are listed newest first, by the first line of the question', async () => {
  const releases = [
    released({ id: 'a', title: 'older', at: '2026-11-23T08:00:00Z' }),
    released({ id: 'b', title: 'newer', at: '2026-11-24T08:00:00Z' })
  ];
  const { node } = await draw({ state: state({ releases }) });
  const titles = [...node.querySelectorAll('li strong')].map(
    strong => strong.textContent
  );
  expect(titles).toEqual(['newer', 'older']);
  expect(node.querySelector('li code')!.textContent).toBe(
    'SELECT ward, COUNT(*) AS n'
  );
  expect(node.querySelector('li')!.textContent).toContain(
    '1\u00a0% of the grant'
  );
});

test('a release that cost nothing says so', async () => {
  const releases = [released({ charged: '0', charged_share: '0 %' })];
  const { node } = await draw({ state: state({ releases }) });
  expect(node.querySelector('li')!.textContent).toContain('free on clinic');
});

test('a question is text, never markup', async () => {
  const releases = [released({ title: '<img src=x>', question: '<b>x</b>' })];
  const { node } = await draw({ state: state({ releases }) });
  expect(node.querySelector('img, b')).toBeNull();
  expect(node.textContent).toContain('<img src=x>');
});

test('an empty ledger tells how to begin', async () => {
  const { node } = await draw({ state: state({ accounts: [], releases: [] }) });
  expect(node.textContent).toContain('no grant on any dataset yet');
  expect(node.textContent).toContain('Nothing asked yet');
});

test('an absent curator is said in its own words and can be tried again', async () => {
  const refresh = jest.fn(() => Promise.resolve());
  const problem = {
    code: 'PL300',
    what: 'no curator answered',
    hint: 'start it'
  };
  const { node } = await draw({ status: 'stale', problem, refresh });
  const notice = node.querySelector('[role=status]')!;
  expect(notice.textContent).toContain('no curator answered');
  expect(notice.textContent).toContain('start it');
  expect(notice.textContent).toContain('PL300');
  notice.querySelector('button')!.click();
  expect(refresh).toHaveBeenCalledTimes(1);
});

test('the last state stays visible while the curator is away', async () => {
  const { node } = await draw({ status: 'stale', state: state() });
  expect(node.textContent).toContain('cannot be reached');
  expect(node.textContent).toContain('as of the last answer');
  expect(node.querySelector('[role=meter]')).not.toBeNull();
});

test('the panel follows the model', async () => {
  const { node, model } = await draw({ status: 'loading' });
  expect(node.textContent).toContain('Reading the ledger');
  model.state = state();
  model.status = 'live';
  model.changed.emit();
  await settle();
  expect(node.querySelector('[role=meter]')).not.toBeNull();
});

test('older releases are counted, not drawn', async () => {
  const releases = Array.from({ length: 53 }, (_, n) =>
    released({ id: `r${n}` })
  );
  const { node } = await draw({ state: state({ releases }) });
  expect(node.querySelectorAll('li')).toHaveLength(50);
  expect(node.textContent).toContain('and 3 older releases');
});

test('a moment that is no moment is shown as it came', () => {
  expect(timeText('soon', 'en')).toBe('soon');
});
