/** Paste a command line, see it, see lint, boot it. */
export default function TopologyDialog() {
  return null;
}
