// The page works without this: whoever allows it spares themselves choosing the cell.
const here = document.getElementById("here");
const said = document.getElementById("located");
if (navigator.geolocation) here.hidden = false;
document.getElementById("locate").addEventListener("click", () => {
  said.textContent = "正在定位…";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      document.getElementById("lon").value = coords.longitude;
      document.getElementById("lat").value = coords.latitude;
      document.getElementById("cell").required = false;
      said.textContent = "已记下现在的位置";
    },
    () => { said.textContent = "没有定到位，请在上面选网格"; },
    { enableHighAccuracy: true, timeout: 10000 },
  );
});
