import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { firstLine, leftPercent, percentText } from './amounts';
import { IAccount, IReleased } from './api';
import { LedgerModel } from './model';

/** Releases drawn; the rest is counted in words. */
const SHOWN = 50;

interface IWords {
  trans: TranslationBundle;
}

/** One meter: what is left of a grant, in a picture, in percent and in words. */
function Budget(props: IWords & { account: IAccount; warnBelow: number }) {
  const { account, trans, warnBelow } = props;
  const left = leftPercent(account);
  const level = left <= 0 ? 'empty' : left < warnBelow ? 'low' : 'ok';
  const leftText = trans.__('%1 left', percentText(account.left_share));
  const isRepeated = sameWords(account.words, leftText);
  return (
    <section className="privlab-Budget" aria-label={account.dataset}>
      <header className="privlab-Budget-head">
        <h3>{account.dataset}</h3>
        <span className="privlab-Budget-left">{leftText}</span>
      </header>
      <div
        className="privlab-Meter"
        role="meter"
        aria-label={trans.__('Privacy budget left on %1', account.dataset)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={left}
        aria-valuetext={leftText}
      >
        <div
          className="privlab-Meter-fill"
          data-level={level}
          style={{ width: `${left}%` }}
        />
      </div>
      {!isRepeated && <p className="privlab-Budget-words">{account.words}</p>}
      <Epsilons account={account} trans={trans} />
    </section>
  );
}

/** What the grant promises, and what is spent: without a δ, sums are promises. */
function Epsilons(props: IWords & { account: IAccount }) {
  const { account, trans } = props;
  const { epsilon_spent: spent, epsilon_granted: granted, delta } = account;
  if (delta === '0') {
    return (
      <p className="privlab-small">
        {trans.__('ε %1 of %2 spent, without a δ', spent, granted)}
      </p>
    );
  }
  return (
    <>
      <p className="privlab-small">
        {trans.__('ε %1 promised, whatever you ask', granted)}
      </p>
      <p className="privlab-small">
        {trans.__('ε %1 spent: a reading, no promise', spent)}
      </p>
      <p className="privlab-small">{trans.__('both at δ = %1', delta)}</p>
    </>
  );
}

/** One release: its title, its question, where, what it cost and when. */
function Released(props: IWords & { release: IReleased; locale?: string }) {
  const { release, locale, trans } = props;
  const free = release.charged === '0';
  const cost = free
    ? trans.__('free on %1', release.dataset)
    : trans.__(
        '%1 of the grant on %2',
        percentText(release.charged_share),
        release.dataset
      );
  const line = firstLine(release.question);
  return (
    <li className="privlab-Released">
      <div className="privlab-Released-head">
        <strong>{release.title || trans.__('untitled')}</strong>
        <time dateTime={release.at}>{timeText(release.at, locale)}</time>
      </div>
      <code title={release.question}>{line}</code>
      <div className="privlab-small">{cost}</div>
    </li>
  );
}

function Releases(props: IWords & { releases: IReleased[]; locale?: string }) {
  const { releases, locale, trans } = props;
  const newest = [...releases].sort((a, b) => (a.at < b.at ? 1 : -1));
  const more = newest.length - SHOWN;
  return (
    <section aria-label={trans.__('Releases')}>
      <h2>{trans.__('Releases')}</h2>
      {newest.length === 0 ? (
        <p className="privlab-muted">
          {trans.__(
            'Nothing asked yet. Start a cell with %%private, and its answer is listed here.'
          )}
        </p>
      ) : (
        <ul className="privlab-Releases">
          {newest.slice(0, SHOWN).map(release => (
            <Released
              key={release.id}
              release={release}
              locale={locale}
              trans={trans}
            />
          ))}
        </ul>
      )}
      {more > 0 && (
        <p className="privlab-muted">
          {trans._n('and %1 older release', 'and %1 older releases', more)}
        </p>
      )}
    </section>
  );
}

/** Why the figures below are old, or why there are none. */
function Unreachable(props: IWords & { model: LedgerModel }) {
  const { model, trans } = props;
  const problem = model.problem;
  return (
    <div className="privlab-Notice" role="status">
      <strong>
        {problem?.what || trans.__('The curator cannot be reached.')}
      </strong>
      {problem?.hint && <p>{problem.hint}</p>}
      {model.state && (
        <p>{trans.__('What follows is as of the last answer.')}</p>
      )}
      <p className="privlab-Notice-foot">
        <button
          type="button"
          className="jp-mod-styled"
          onClick={() => void model.refresh()}
        >
          {trans.__('Try Again')}
        </button>
        {problem?.code && <span className="privlab-small">{problem.code}</span>}
      </p>
    </div>
  );
}

function Ledger(props: IWords & { model: LedgerModel; locale?: string }) {
  const { model, locale, trans } = props;
  const { state, status } = model;
  if (status === 'loading') {
    return <p className="privlab-muted">{trans.__('Reading the ledger…')}</p>;
  }
  return (
    <div className="privlab-Ledger" data-seq={state?.seq} data-status={status}>
      {status === 'stale' && <Unreachable model={model} trans={trans} />}
      {state && (
        <>
          <h2>{trans.__('Privacy budget')}</h2>
          {state.accounts.length === 0 && (
            <p className="privlab-muted">
              {trans.__(
                'You have no grant on any dataset yet. The steward of a dataset can give you one.'
              )}
            </p>
          )}
          {state.accounts.map(account => (
            <Budget
              key={account.dataset}
              account={account}
              warnBelow={model.warnBelow}
              trans={trans}
            />
          ))}
          <Releases releases={state.releases} locale={locale} trans={trans} />
        </>
      )}
    </div>
  );
}

/** The sidebar: a meter per dataset and the list of releases. */
export class BudgetPanel extends ReactWidget {
  constructor(model: LedgerModel, trans: TranslationBundle, locale?: string) {
    super();
    this._model = model;
    this._trans = trans;
    this._locale = locale;
    this.addClass('privlab-BudgetPanel');
    this.node.tabIndex = 0; // a region that scrolls must be reachable by keyboard
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Privacy budget'));
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this._model.changed}>
        {() => (
          <Ledger
            model={this._model}
            locale={this._locale}
            trans={this._trans}
          />
        )}
      </UseSignal>
    );
  }

  private _model: LedgerModel;
  private _trans: TranslationBundle;
  private _locale?: string;
}

/** Whether two texts differ in nothing but their blanks. */
function sameWords(a: string, b: string): boolean {
  return a.replace(/\s/g, '') === b.replace(/\s/g, '');
}

/** A moment as the reader writes it: today by the clock, else with its date. */
export function timeText(at: string, locale?: string): string {
  const moment = new Date(at);
  if (isNaN(moment.getTime())) {
    return at;
  }
  const today = moment.toDateString() === new Date().toDateString();
  return today
    ? moment.toLocaleTimeString(locale, { timeStyle: 'short' })
    : moment.toLocaleString(locale, {
        dateStyle: 'medium',
        timeStyle: 'short'
      });
}
