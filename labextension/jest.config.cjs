// Packages that ship ES modules only; Jest has to translate them.
const esModules = [
  '@jupyterlab',
  '@jupyter',
  '@lumino',
  '@codemirror',
  '@lezer',
  '@marijn',
  '@microsoft',
  '@rjsf',
  'crelt',
  'exenv-es6',
  'lib0',
  'nanoid',
  'style-mod',
  'uuid',
  'vscode-ws-jsonrpc',
  'w3c-keyname',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  testEnvironment: 'jsdom',
  setupFiles: ['<rootDir>/labextension/tests/shim.cjs'],
  rootDir: '..',
  roots: ['<rootDir>/labextension/tests'],
  moduleNameMapper: {
    '\\.(css|less|svg)$': '<rootDir>/labextension/tests/stub.cjs',
    '^react$': '<rootDir>/node_modules/react',
    '^react-dom$': '<rootDir>/node_modules/react-dom'
  },
  transform: {
    '^.+\\.tsx?$': ['ts-jest', { tsconfig: 'labextension/tsconfig.test.json' }],
    '^.+\\.m?js$': [
      'ts-jest',
      {
        tsconfig: {
          allowJs: true,
          module: 'commonjs',
          target: 'es2019',
          esModuleInterop: true,
          isolatedModules: true
        },
        diagnostics: false
      }
    ]
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esModules})/)`]
};
