/** Whether an element can be seen, as far as its place on the page tells. */
import { type RefObject, useEffect, useState } from 'react';

export function useInSight(of: RefObject<Element | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = of.current;
    if (element === null) return;
    const sight = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false));
    sight.observe(element);
    return () => sight.disconnect();
  }, [of]);
  return seen;
}
