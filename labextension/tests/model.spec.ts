import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { accountInFocus } from '../src/status';
import { firstLine, leftPercent, percentText } from '../src/amounts';
import { isState } from '../src/api';
import { LEDGER_SCHEMA, LedgerModel } from '../src/model';
import { account, released, state } from './examples';

/** A model over a server whose answers the test chooses. */
function connect(answer: () => [number, unknown]) {
  const calls: string[] = [];
  jest.spyOn(ServerConnection, 'makeRequest').mockImplementation(async url => {
    calls.push(url);
    const [status, body] = answer();
    return {
      ok: status === 200,
      status,
      json: async () => body
    } as Response;
  });
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/'
  });
  const stream = new Signal<any, any>({});
  const model = new LedgerModel({ events: { stream }, serverSettings });
  return { model, calls, stream };
}

afterEach(() => jest.restoreAllMocks());

const settle = () => new Promise(resolve => setTimeout(resolve, 30));

test('the state is read below the base URL', async () => {
  const { model, calls } = connect(() => [200, state()]);
  await model.refresh();
  await settle();
  expect(model.status).toBe('live');
  expect(model.state!.seq).toBe(3);
  expect(calls[0]).toBe('http://localhost:8888/base/privlab/state');
  model.dispose();
});

test('an event of the ledger makes it read again, another event does not', async () => {
  const { model, calls, stream } = connect(() => [200, state()]);
  await model.refresh();
  await settle();
  const before = calls.length;
  stream.emit({ schema_id: 'https://example.org/other', seq: 4 });
  await settle();
  expect(calls.length).toBe(before);
  stream.emit({ schema_id: LEDGER_SCHEMA, seq: 4 });
  await settle();
  expect(calls.length).toBe(before + 1);
  model.dispose();
});

test('figures in an event are not believed', async () => {
  const { model, stream } = connect(() => [200, state()]);
  await model.refresh();
  stream.emit({ schema_id: LEDGER_SCHEMA, seq: 99, accounts: [] });
  await settle();
  expect(model.state!.seq).toBe(3);
  model.dispose();
});

test('a refusal keeps the last state and says why', async () => {
  let answer: [number, unknown] = [200, state()];
  const { model } = connect(() => answer);
  await model.refresh();
  await settle();
  answer = [503, { code: 'PL300', what: 'no curator answered', hint: 'start' }];
  await model.refresh().catch(() => undefined);
  await settle();
  expect(model.status).toBe('stale');
  expect(model.problem!.code).toBe('PL300');
  expect(model.state!.seq).toBe(3);
  model.dispose();
});

test('an answer that is not a state is not shown', async () => {
  const { model } = connect(() => [200, { seq: 1, accounts: 'none' }]);
  await model.refresh().catch(() => undefined);
  await settle();
  expect(model.status).toBe('stale');
  expect(model.state).toBeNull();
  model.dispose();
});

test('nothing is read after disposal', async () => {
  const { model, calls, stream } = connect(() => [200, state()]);
  await model.refresh();
  await settle();
  model.dispose();
  model.dispose();
  const before = calls.length;
  stream.emit({ schema_id: LEDGER_SCHEMA });
  await settle();
  expect(calls.length).toBe(before);
  expect(model.isDisposed).toBe(true);
});

test('a state with a missing field is not a state', () => {
  expect(isState(state())).toBe(true);
  const { words, ...rest } = account();
  expect(words).toBeTruthy();
  expect(isState({ ...state(), accounts: [rest] })).toBe(false);
  expect(isState(null)).toBe(false);
});

test('what is left is rounded down, also beyond 2^53', () => {
  expect(leftPercent(account())).toBe(93);
  expect(leftPercent(account({ spent: '1' }))).toBe(99.9);
  const granted = '281474976710656000000';
  expect(leftPercent(account({ granted, spent: '1' }))).toBe(99.99);
  expect(leftPercent(account({ granted, spent: granted }))).toBe(0);
  expect(leftPercent(account({ granted: '0', spent: '0' }))).toBe(0);
  expect(leftPercent(account({ granted: 'x' }))).toBe(0);
});

test('a share always has one percent sign', () => {
  for (const share of ['93', '93%', '93 %', '93\u00a0%']) {
    expect(percentText(share)).toBe('93\u00a0%');
  }
});

test('the first line of a question is one that says something', () => {
  expect(firstLine('\n  \n  SELECT 1\nFROM t')).toBe('SELECT 1');
  expect(firstLine('')).toBe('');
});

test('the status bar speaks of the dataset asked last, else of the scarcest', () => {
  const accounts = [
    account(),
    account({ dataset: 'aviation' }),
    account({ dataset: 'scarce', spent: '990' })
  ];
  const releases = [
    released({ dataset: 'clinic', at: '2026-11-23T08:00:00Z' }),
    released({ dataset: 'aviation', at: '2026-11-24T08:00:00Z' })
  ];
  expect(accountInFocus(state({ accounts, releases }))!.dataset).toBe(
    'aviation'
  );
  expect(accountInFocus(state({ accounts, releases: [] }))!.dataset).toBe(
    'scarce'
  );
  expect(accountInFocus(state({ accounts: [] }))).toBeUndefined();
});
