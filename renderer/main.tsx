/** The window. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Home } from './features/home/home.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <Home />
  </StrictMode>,
);
