/** The view "models". */
import { Empty } from '../../app/states.tsx';

export default function Models() {
  return <Empty title="Models">This view is not built yet.</Empty>;
}
