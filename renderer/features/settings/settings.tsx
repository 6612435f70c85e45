/** The view "settings". */
import { Empty } from '../../app/states.tsx';

export default function Settings() {
  return <Empty title="Settings">This view is not built yet.</Empty>;
}
