import { TextItem } from '@jupyterlab/statusbar';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { leftPercent, percentText } from './amounts';
import { IAccount, IState } from './api';
import { LedgerModel } from './model';

/**
 * The account the status bar speaks of: the one asked last, else the one with
 * the least left.
 */
export function accountInFocus(state: IState): IAccount | undefined {
  const last = [...state.releases].sort((a, b) => (a.at < b.at ? 1 : -1))[0];
  return (
    state.accounts.find(account => account.dataset === last?.dataset) ??
    [...state.accounts].sort((a, b) => leftPercent(a) - leftPercent(b))[0]
  );
}

/** One line about the budget; a click opens the panel. */
export function createStatusItem(
  model: LedgerModel,
  trans: TranslationBundle,
  onClick: () => void
): ReactWidget {
  return ReactWidget.create(
    <UseSignal signal={model.changed}>
      {() => {
        const account = model.state && accountInFocus(model.state);
        if (!account) {
          return null;
        }
        const left = percentText(account.left_share);
        const title =
          model.status === 'stale'
            ? trans.__('The curator cannot be reached; this is the last answer')
            : account.words;
        return (
          <TextItem
            source={trans.__('Privacy: %1 left on %2', left, account.dataset)}
            title={title}
            onClick={onClick}
            style={model.status === 'stale' ? { opacity: 0.6 } : undefined}
          />
        );
      }}
    </UseSignal>
  );
}
