// The page works without this: whoever allows it spares themselves choosing the cell.
const here = document.getElementById("here");
const said = document.getElementById("located");
if (navigator.geolocation) here.hidden = false;
document.getElementById("locate").addEventListener("click", () => {
  said.textContent = said.dataset.looking;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      document.getElementById("lon").value = coords.longitude;
      document.getElementById("lat").value = coords.latitude;
      document.getElementById("cell").required = false;
      said.textContent = said.dataset.found;
    },
    () => { said.textContent = said.dataset.failed; },
    { enableHighAccuracy: true, timeout: 10000 },
  );
});
