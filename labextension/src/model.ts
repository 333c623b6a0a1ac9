import { ServerConnection, ServiceManager } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { IPoll, Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { IProblem, IState, ProblemError, readState } from './api';

export const LEDGER_SCHEMA = 'https://schema.privlab.dev/ledger/v1';

/** loading: nothing known yet; live: as of now; stale: the curator is away. */
export type LedgerStatus = 'loading' | 'live' | 'stale';

/**
 * The state of the ledger as the server last told it.
 *
 * An event says only that the ledger moved; the state is then read over REST
 * as the signed-in user, so that nobody's figures travel on the event socket
 * and a forged event costs one request. The poll is the net under lost events.
 */
export class LedgerModel implements IDisposable {
  constructor(options: LedgerModel.IOptions) {
    this._events = options.events;
    this._poll = new Poll<IState>({
      name: 'privlab:ledger',
      factory: () => readState(options.serverSettings),
      frequency: {
        interval: LedgerModel.INTERVAL,
        backoff: true,
        max: 10 * LedgerModel.INTERVAL
      },
      standby: 'when-hidden'
    });
    this._poll.ticked.connect(this._onTick, this);
    this._events.stream.connect(this._onEvent, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The last state known, also while stale. */
  get state(): IState | null {
    return this._state;
  }

  get status(): LedgerStatus {
    return this._status;
  }

  /** Why the status is stale, in the server's words; empty if it had none. */
  get problem(): IProblem | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Percent of a grant under which a meter warns. */
  get warnBelow(): number {
    return this._warnBelow;
  }

  /** Take over the settings: seconds between polls, percent to warn below. */
  configure(interval: number, warnBelow: number): void {
    this._poll.frequency = {
      backoff: true,
      interval: interval * 1000,
      max: Math.max(10 * LedgerModel.INTERVAL, interval * 1000)
    };
    this._warnBelow = warnBelow;
    this._changed.emit();
  }

  /** Read the state now. */
  refresh(): Promise<void> {
    return this._poll.refresh();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._events.stream.disconnect(this._onEvent, this);
    this._poll.ticked.disconnect(this._onTick, this);
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _onTick(
    _: unknown,
    tick: IPoll.State<IState, unknown, string>
  ): void {
    if (tick.phase === 'resolved') {
      this._state = tick.payload as IState;
      this._status = 'live';
      this._problem = null;
    } else if (tick.phase === 'rejected') {
      const reason: unknown = tick.payload;
      this._status = 'stale';
      this._problem = reason instanceof ProblemError ? reason.problem : null;
    } else {
      return;
    }
    this._changed.emit();
  }

  private _onEvent(_: unknown, event: { schema_id: string }): void {
    if (event.schema_id === LEDGER_SCHEMA) {
      void this._poll.refresh();
    }
  }

  private _events: LedgerModel.IEvents;
  private _poll: Poll<IState>;
  private _state: IState | null = null;
  private _status: LedgerStatus = 'loading';
  private _problem: IProblem | null = null;
  private _warnBelow = 20;
  private _changed = new Signal<this, void>(this);
}

export namespace LedgerModel {
  /** Milliseconds between polls unless the settings say otherwise. */
  export const INTERVAL = 30_000;

  /** The part of JupyterLab's event manager that is used. */
  export interface IEvents {
    stream: Pick<
      ServiceManager.IManager['events']['stream'],
      'connect' | 'disconnect'
    >;
  }

  export interface IOptions {
    events: IEvents;
    serverSettings: ServerConnection.ISettings;
  }
}
