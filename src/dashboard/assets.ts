/** The script and the styles of the page, as text. */
export const ASSETS: { readonly script: string; readonly styles: string } = {
  script: "document.getElementById('app').textContent = 'The page was not built.'\n",
  styles: '',
}
