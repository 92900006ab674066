'use client';
import { useEffect } from 'react';

export default function Page() {
  useEffect(() => void import('../src/index.js'), []);
  return null;
}
