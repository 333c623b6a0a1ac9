import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** One meter: this analyst on one dataset. Amounts are decimal strings. */
export interface IAccount {
  dataset: string;
  granted: string;
  spent: string;
  left_share: string;
  epsilon_spent: string;
  epsilon_granted: string;
  delta: string;
  words: string;
}

/** One release of this analyst. */
export interface IReleased {
  id: string;
  at: string;
  dataset: string;
  title: string;
  question: string;
  charged: string;
  charged_share: string;
  purpose: string;
}

/** Everything the panel shows, as the curator tells it. */
export interface IState {
  seq: number;
  principal: string;
  accounts: IAccount[];
  releases: IReleased[];
}

/** Why there is no state: a code, one sentence, and what to do next. */
export interface IProblem {
  code: string;
  what: string;
  hint: string;
}

/** The server answered, but not with a state. */
export class ProblemError extends Error {
  constructor(readonly problem: IProblem) {
    super(`${problem.code} ${problem.what}`);
  }
}

/**
 * Read the state through the Jupyter server.
 *
 * @throws ProblemError when the server says why it cannot.
 */
export async function readState(
  settings: ServerConnection.ISettings
): Promise<IState> {
  const url = URLExt.join(settings.baseUrl, 'privlab', 'state');
  const response = await ServerConnection.makeRequest(url, {}, settings);
  const body = await response.json().catch(() => null);
  if (response.ok && isState(body)) {
    return body;
  }
  throw new ProblemError(asProblem(body));
}

/** The fields the panel reads are there and have the right shape. */
export function isState(value: any): value is IState {
  return (
    typeof value?.seq === 'number' &&
    Array.isArray(value.accounts) &&
    value.accounts.every((account: any) => hasTexts(account, ACCOUNT)) &&
    Array.isArray(value.releases) &&
    value.releases.every((release: any) => hasTexts(release, RELEASED))
  );
}

const ACCOUNT = ['dataset', 'granted', 'spent', 'left_share', 'words'];
const RELEASED = ['id', 'at', 'dataset', 'title', 'question', 'charged_share'];

function hasTexts(value: any, names: string[]): boolean {
  return names.every(name => typeof value?.[name] === 'string');
}

function asProblem(value: any): IProblem {
  return {
    code: typeof value?.code === 'string' ? value.code : '',
    what: typeof value?.what === 'string' ? value.what : '',
    hint: typeof value?.hint === 'string' ? value.hint : ''
  };
}
