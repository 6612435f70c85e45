/** The view "configure". */
import { Empty } from '../../app/states.tsx';

export default function Configure() {
  return <Empty title="Configure">This view is not built yet.</Empty>;
}
