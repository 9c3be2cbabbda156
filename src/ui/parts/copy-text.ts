/** Puts a text into the clipboard; false where a reader, a policy or an insecure context refuses. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
