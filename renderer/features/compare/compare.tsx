/** The view "compare". */
import { Empty } from '../../app/states.tsx';

export default function Compare() {
  return <Empty title="Compare">This view is not built yet.</Empty>;
}
