// The page's words, in English and Polish.

const WORDS = {
  en: {
    home: "WWZD: to the catalogue",
    search: "Search by name",
    filter: "Filter by metadata",
    help: "How to move",
    add: "Add pictures",
    view: "View",
    reducer: "Layout",
    split: "Two layouts side by side",
    among: "Among the catalogue",
    mode: "Drawn as",
    pictures: "Pictures",
    dots: "Dots",
    space: "Movement",
    orbit: "Orbit",
    fly: "Fly",
    flat: "2-D",
    tool: "Tool",
    move: "Move and click",
    lasso: "Select with a lasso",
    box: "Select with a box",
    reset: "Back to the whole cloud",
    settings: "Settings",
    vr: "Enter virtual reality",
    size: "Picture size",
    fade: "Depth fading",
    colourBy: "Colour by",
    nothing: "nothing",
    background: "Background",
    dark: "Dark",
    light: "Light",
    language: "Language",
    copyLink: "Copy link",
    copied: "The link is in the clipboard.",
    screenshot: "Screenshot",
    dropHere: "Drop a ZIP, pictures or a folder",
    keys: "Arrow keys turn the cloud, W A S D Q E move the camera, Enter opens the picture in the middle, Escape closes what is open.",
    canvas: "{name}: {count} pictures as a cloud",
    catalogue: "Catalogue",
    upload: "Upload",
    picture: "Picture {n}",
    count: ["{n} picture", "{n} pictures"],
    loadingPoints: "Loading the points …",
    loadingTiles: "Loading pictures: {done} of {total}",
    ready: "All pictures are there.",
    waiting: "The server is busy with an upload; the page waits for it.",
    offline: "The server cannot be reached.",
    fault: "Some pictures could not be loaded.",
    notHere: "This dataset is not here: it was deleted, or the address is wrong.",
    failed: "This could not be shown",
    toCatalogue: "Show the catalogue",
    emptyTitle: "No catalogue is installed",
    emptyText: "Drop pictures of your own on this page, or have a catalogue built with manage.py build_catalogue.",
    noWebgl: "This browser does not draw with WebGL 2, which the cloud needs.",
    close: "Close",
    hintTitle: "Every picture is a point; what looks alike lies close together",
    hint: [
      ["Drag", "turns the cloud, with the right button it moves"],
      ["Wheel, pinch", "zooms to the cursor"],
      ["W A S D Q E, arrows", "fly and turn; Shift is faster"],
      ["Click, tap", "opens a picture and shows what is near"],
      ["Enter, Escape", "opens the picture in the middle; closes what is open"],
      ["Lasso, box", "select many at once"],
      ["Drop", "a ZIP, pictures or a folder to see them as a cloud"],
      ["?", "shows this again"],
    ],
    understood: "Look around",
    neighbours: "Nearest pictures",
    noNeighbours: "Its nearest pictures could not be fetched.",
    goThere: "Go there",
    original: "Original",
    selected: ["{n} picture selected", "{n} pictures selected"],
    nothingSelected: "No picture lies inside.",
    export: "Export these as CSV",
    everything: "Everything as ZIP",
    clear: "Clear",
    onlyThese: "Show only these",
    showAll: "Show all",
    showMore: "Show {n} more",
    results: ["{n} picture found", "{n} pictures found"],
    noResults: "No picture has this in its name.",
    selectAll: "Select all",
    similar: "Most like your picture",
    noPlace: "Where it would lie in {layouts} is not known here.",
    searching: "Looking …",
    collections: "Collections",
    uploads: "Uploads",
    noUploads: "Nothing has been uploaded yet.",
    delete: "Delete",
    sure: "Delete “{name}” for good?",
    deleted: "Deleted.",
    cancel: "Cancel",
    uploadTitle: "Add pictures",
    uploadText:
      "A ZIP, loose pictures or a folder; the first {most} in the order of their names are placed. They stay on this server.",
    chooseFiles: "Choose files",
    chooseFolder: "Choose a folder",
    findSimilar: "Find what looks like it",
    uploadIt: "Upload it",
    onePicture: "What to do with “{name}”?",
    noPictures: "There is no picture among these files.",
    tooMany: "Only the first {most} of {n} pictures are sent.",
    packing: "Packing {n} pictures",
    sending: "Sending",
    queued: "Waiting for its turn",
    computing: "Computing",
    stages: {
      reading: "Reading the archive",
      decoding: "Decoding pictures",
      pictures: "Looking at the pictures",
      features: "Looking at the pictures",
      network: "Looking at the pictures",
      tilemap: "Drawing the tiles",
      reducing: "Laying them out",
      pca: "Laying them out (PCA)",
      umap: "Laying them out (UMAP)",
      storing: "Storing",
    },
    left: "about {time} left",
    seconds: "{n} s",
    minutes: "{n} min",
    tryAgain: "Try again",
    skipped: ["{n} file was skipped", "{n} files were skipped"],
    done: "“{name}” is here.",
    deleteFailed: "It could not be deleted: {reason}",
    hidden: ["{n} hidden by filters", "{n} hidden by filters"],
    any: "any",
    facts: "About this collection",
  },
  pl: {
    home: "WWZD: do katalogu",
    search: "Szukaj po nazwie",
    filter: "Filtruj po metadanych",
    help: "Jak się poruszać",
    add: "Dodaj zdjęcia",
    view: "Widok",
    reducer: "Układ",
    split: "Dwa układy obok siebie",
    among: "Na tle katalogu",
    mode: "Rysowane jako",
    pictures: "Zdjęcia",
    dots: "Punkty",
    space: "Ruch",
    orbit: "Orbita",
    fly: "Lot",
    flat: "2-D",
    tool: "Narzędzie",
    move: "Ruch i kliknięcie",
    lasso: "Zaznacz lassem",
    box: "Zaznacz ramką",
    reset: "Wróć do całej chmury",
    settings: "Ustawienia",
    vr: "Wejdź w wirtualną rzeczywistość",
    size: "Rozmiar zdjęć",
    fade: "Zanikanie w głębi",
    colourBy: "Koloruj według",
    nothing: "niczego",
    background: "Tło",
    dark: "Ciemne",
    light: "Jasne",
    language: "Język",
    copyLink: "Kopiuj link",
    copied: "Link jest w schowku.",
    screenshot: "Zrzut ekranu",
    dropHere: "Upuść ZIP, zdjęcia lub folder",
    keys: "Strzałki obracają chmurę, W A S D Q E przesuwają kamerę, Enter otwiera zdjęcie pośrodku, Escape zamyka to, co otwarte.",
    canvas: "{name}: {count} zdjęć jako chmura",
    catalogue: "Katalog",
    upload: "Zbiór",
    picture: "Zdjęcie {n}",
    count: ["{n} zdjęcie", "{n} zdjęcia", "{n} zdjęć"],
    loadingPoints: "Wczytuję punkty …",
    loadingTiles: "Wczytuję zdjęcia: {done} z {total}",
    ready: "Wszystkie zdjęcia są na miejscu.",
    waiting: "Serwer jest zajęty cudzym zbiorem; strona czeka.",
    offline: "Serwer nie odpowiada.",
    fault: "Części zdjęć nie udało się wczytać.",
    notHere: "Tego zbioru tu nie ma: został usunięty albo adres jest błędny.",
    failed: "Nie udało się tego pokazać",
    toCatalogue: "Pokaż katalog",
    emptyTitle: "Nie ma zainstalowanego katalogu",
    emptyText: "Upuść na tę stronę własne zdjęcia albo zbuduj katalog poleceniem manage.py build_catalogue.",
    noWebgl: "Ta przeglądarka nie obsługuje WebGL 2, którego chmura potrzebuje.",
    close: "Zamknij",
    hintTitle: "Każde zdjęcie to punkt; podobne leżą blisko siebie",
    hint: [
      ["Przeciąganie", "obraca chmurę, prawym przyciskiem przesuwa"],
      ["Kółko, dwa palce", "przybliża do kursora"],
      ["W A S D Q E, strzałki", "lot i obrót; Shift przyspiesza"],
      ["Kliknięcie, dotyk", "otwiera zdjęcie i pokazuje, co jest blisko"],
      ["Enter, Escape", "otwiera zdjęcie pośrodku; zamyka, co otwarte"],
      ["Lasso, ramka", "zaznaczają wiele naraz"],
      ["Upuść", "ZIP, zdjęcia lub folder, by zobaczyć je jako chmurę"],
      ["?", "pokazuje to ponownie"],
    ],
    understood: "Rozejrzyj się",
    neighbours: "Najbliższe zdjęcia",
    noNeighbours: "Nie udało się pobrać najbliższych zdjęć.",
    goThere: "Przenieś tam",
    original: "Oryginał",
    selected: ["Zaznaczono {n} zdjęcie", "Zaznaczono {n} zdjęcia", "Zaznaczono {n} zdjęć"],
    nothingSelected: "W środku nie ma żadnego zdjęcia.",
    export: "Eksportuj te jako CSV",
    everything: "Wszystko jako ZIP",
    clear: "Wyczyść",
    onlyThese: "Pokaż tylko te",
    showAll: "Pokaż wszystkie",
    showMore: "Pokaż {n} więcej",
    results: ["Znaleziono {n} zdjęcie", "Znaleziono {n} zdjęcia", "Znaleziono {n} zdjęć"],
    noResults: "Żadne zdjęcie nie ma tego w nazwie.",
    selectAll: "Zaznacz wszystkie",
    similar: "Najbardziej podobne do twojego zdjęcia",
    noPlace: "Nie wiadomo, gdzie leżałoby w {layouts}.",
    searching: "Szukam …",
    collections: "Zbiory",
    uploads: "Przesłane",
    noUploads: "Nic jeszcze nie przesłano.",
    delete: "Usuń",
    sure: "Usunąć „{name}” na zawsze?",
    deleted: "Usunięto.",
    cancel: "Anuluj",
    uploadTitle: "Dodaj zdjęcia",
    uploadText:
      "ZIP, pojedyncze zdjęcia lub folder; brane jest pierwszych {most} w kolejności nazw. Zostają na tym serwerze.",
    chooseFiles: "Wybierz pliki",
    chooseFolder: "Wybierz folder",
    findSimilar: "Znajdź podobne",
    uploadIt: "Prześlij",
    onePicture: "Co zrobić z „{name}”?",
    noPictures: "Wśród tych plików nie ma zdjęcia.",
    tooMany: "Wysyłanych jest tylko pierwszych {most} z {n} zdjęć.",
    packing: "Pakuję zdjęcia: {n}",
    sending: "Wysyłam",
    queued: "Czeka na swoją kolej",
    computing: "Obliczam",
    stages: {
      reading: "Czytam archiwum",
      decoding: "Dekoduję zdjęcia",
      pictures: "Oglądam zdjęcia",
      features: "Oglądam zdjęcia",
      network: "Oglądam zdjęcia",
      tilemap: "Rysuję miniatury",
      reducing: "Układam je",
      pca: "Układam je (PCA)",
      umap: "Układam je (UMAP)",
      storing: "Zapisuję",
    },
    left: "jeszcze około {time}",
    seconds: "{n} s",
    minutes: "{n} min",
    tryAgain: "Spróbuj ponownie",
    skipped: ["Pominięto {n} plik", "Pominięto {n} pliki", "Pominięto {n} plików"],
    done: "„{name}” jest na miejscu.",
    deleteFailed: "Nie udało się usunąć: {reason}",
    hidden: ["{n} ukryte przez filtry", "{n} ukryte przez filtry", "{n} ukrytych przez filtry"],
    any: "dowolne",
    facts: "O tym zbiorze",
  },
};

const FORMS = { en: ["one", "other"], pl: ["one", "few", "many"] };

let language = "en";

export function languages() {
  return Object.keys(WORDS);
}

export function speak(wanted) {
  language = WORDS[wanted] ? wanted : "en";
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-placeholder]")) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
  for (const element of document.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button, a")) element.title = t(element.dataset.tLabel);
  }
}

export function spoken() {
  return language;
}

/** A sentence, with `{names}` replaced. */
export function t(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return typeof text === "string" ? put(text, values) : text;
}

/** The same for a number of things, in the form that the number takes. */
export function many(key, n, values = {}) {
  const forms = WORDS[language][key];
  const form = FORMS[language].indexOf(new Intl.PluralRules(language).select(n));
  return put(forms[form < 0 ? forms.length - 1 : form], { ...values, n: number(n) });
}

export function number(n) {
  return new Intl.NumberFormat(language).format(n);
}

export function stage(name) {
  const [kind] = name.split(/[ :]/);
  return t("stages")[kind] ?? (name || t("computing"));
}

export function duration(seconds) {
  const time =
    seconds < 90
      ? t("seconds", { n: Math.max(1, Math.round(seconds)) })
      : t("minutes", { n: Math.round(seconds / 60) });
  return t("left", { time });
}

function put(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
