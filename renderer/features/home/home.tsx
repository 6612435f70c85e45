/** The view "home". */
import { Empty } from '../../app/states.tsx';

export default function Home() {
  return <Empty title="Home">This view is not built yet.</Empty>;
}
