// The page works without this: whoever allows it sends a photo of 5 MB as one of 300 KB.
const LONG_SIDE = 1600;

async function smaller(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const share = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
    const sheet = document.createElement("canvas");
    sheet.width = Math.round(picture.width * share);
    sheet.height = Math.round(picture.height * share);
    sheet.getContext("2d").drawImage(picture, 0, 0, sheet.width, sheet.height);
    const made = await new Promise((done) => sheet.toBlob(done, "image/jpeg", 0.85));
    return made && made.size < file.size ? new File([made], file.name, { type: made.type }) : file;
  } catch {
    return file; // the server says what is wrong with it
  }
}

for (const field of document.querySelectorAll("input[type=file]")) {
  field.addEventListener("change", async () => {
    const chosen = [...field.files];
    const list = new DataTransfer();
    for (const file of chosen) list.items.add(await smaller(file));
    if (chosen.every((file, n) => file === field.files[n])) field.files = list.files;
  });
}
