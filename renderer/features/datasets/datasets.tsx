/** The view "datasets". */
import { Empty } from '../../app/states.tsx';

export default function Datasets() {
  return <Empty title="Datasets">This view is not built yet.</Empty>;
}
