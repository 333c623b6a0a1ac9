import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  EditorExtensionRegistry,
  IEditorExtensionRegistry,
  IEditorLanguageRegistry
} from '@jupyterlab/codemirror';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { privateCellLanguage } from './highlight';
import { budgetIcon } from './icon';
import { LedgerModel } from './model';
// Both are drawn at once, so there is nothing to put off.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { BudgetPanel } from './panel';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { createStatusItem } from './status';

const PANEL_ID = 'privlab:plugin';

/** The commands other extensions may run. */
namespace CommandIDs {
  export const open = 'privlab:open-budget';
  export const refresh = 'privlab:refresh-budget';
}

/** A command that the palette, a menu and a shortcut may all start. */
const ARGS = {
  args: {
    type: 'object',
    properties: {
      isPalette: {
        type: 'boolean',
        description: 'Whether the command is shown in the palette.'
      }
    }
  }
} as const;

const panel: JupyterFrontEndPlugin<void> = {
  id: PANEL_ID,
  description: 'Shows the privacy budget in the sidebar and the status bar.',
  autoStart: true,
  optional: [
    ITranslator,
    ICommandPalette,
    ISettingRegistry,
    ILayoutRestorer,
    IStatusBar
  ],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
    statusBar: IStatusBar | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const trans = (translator ?? nullTranslator).load('privlab');
    const locale = translator?.languageCode?.replace('_', '-');
    const model = new LedgerModel(serviceManager);

    const widget = new BudgetPanel(model, trans, locale);
    widget.id = 'privlab-budget';
    widget.title.icon = budgetIcon;
    widget.title.caption = trans.__('Privacy budget');
    widget.disposed.connect(() => model.dispose());
    shell.add(widget, 'left', { rank: 600, type: 'Privacy budget' });
    restorer?.add(widget, widget.id);

    commands.addCommand(CommandIDs.open, {
      label: trans.__('Show Privacy Budget'),
      caption: trans.__('Show what is left of the privacy budget'),
      icon: args => (args.isPalette ? undefined : budgetIcon),
      describedBy: ARGS,
      execute: () => shell.activateById(widget.id)
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Privacy Budget'),
      caption: trans.__('Ask the curator what is left of the privacy budget'),
      describedBy: ARGS,
      execute: () => model.refresh()
    });
    for (const command of Object.values(CommandIDs)) {
      palette?.addItem({
        command,
        category: trans.__('Privacy'),
        args: { isPalette: true }
      });
    }

    statusBar?.registerStatusItem('privlab:budget-status', {
      align: 'right',
      rank: 50,
      item: createStatusItem(model, trans, () => {
        void commands.execute(CommandIDs.open);
      })
    });

    if (settings) {
      void settings.load(PANEL_ID).then(loaded => {
        const apply = () => {
          model.configure(
            loaded.get('refreshInterval').composite as number,
            loaded.get('warnBelow').composite as number
          );
        };
        apply();
        loaded.changed.connect(apply);
        widget.disposed.connect(() => loaded.changed.disconnect(apply));
      });
    }
  }
};

const highlighting: JupyterFrontEndPlugin<void> = {
  id: 'privlab:highlighting',
  description: 'Colors the SQL of %%private cells.',
  autoStart: true,
  optional: [IEditorExtensionRegistry, IEditorLanguageRegistry],
  activate: (
    app: JupyterFrontEnd,
    extensions: IEditorExtensionRegistry | null,
    languages: IEditorLanguageRegistry | null
  ) => {
    if (!extensions || !languages) {
      return;
    }
    const loadSQL = async () =>
      (await languages.getLanguage('SQL'))?.support ?? [];
    extensions.addExtension({
      name: 'privlab:private-cell-language',
      factory: options =>
        options.inline && options.model.mimeType !== 'text/x-ipythongfm'
          ? EditorExtensionRegistry.createImmutableExtension(
              privateCellLanguage(loadSQL)
            )
          : null
    });
  }
};

export default [panel, highlighting];
