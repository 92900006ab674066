import { render } from 'preact';
import { App } from './app/App.tsx';
import { startOffline } from './app/offline.ts';
import './style/base.css';

render(<App />, document.getElementById('app')!);
if (import.meta.env.PROD) void startOffline();
